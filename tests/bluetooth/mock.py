"""BlueZ without Bluetooth: the mock `bluezoo` (PyPI) on a private bus, with what it lacks mended.

Nothing of it is copied here: its objects are changed from outside, once it is loaded.

1. A `Disconnect` on the reader's side reaches the host's `Device1.Connected`, as a lost link does.
2. A host that disconnects takes its view of the reader's services with it, so that it may connect again.
3. Pairing succeeds whatever the agents can do; how two devices agree is tried with the real daemon.
4. More than one program may register an agent: host and simulated reader are two programs on one bus.
"""

import bluezoo.bluezoo as bluezoo
from bluezoo.device import Device
from bluezoo.root import RootManager

connect = Device.connect


async def connect_both(self, uuid=None):
    await connect(self, uuid)
    other = self.peer_adapter.devices.get(self.peer.get_object_path())
    if other is not None:
        other.peer = self


Device.connect = connect_both


disconnect = Device.disconnect


async def disconnect_whole(self, uuid=None):
    await disconnect(self, uuid)
    await self.ServicesResolved.set_async(False)
    for view in list(self.services.values()):
        values = getattr(view, "client_props_changed_subscription", None)
        if values is not None:
            values.unsubscribe()
            if view.client.Notifying.get():
                await view.client.StopNotify()
        self.peer_adapter.mock.remove_object(view)
    self.services.clear()


Device.disconnect = disconnect_whole


pair = Device.pair


async def pair_any(self):
    agent = self.adapter.mock.root.agent
    able, agent.capability = agent.capability, "NoInputNoOutput"
    try:
        await pair(self)
    finally:
        agent.capability = able


Device.pair = pair_any


class Agents(dict):
    """Looks empty to the check that there is none yet."""

    def __iter__(self):
        return iter(())

    def __bool__(self):
        return False


prepare = RootManager.__init__


def with_agents(self, *arguments):
    prepare(self, *arguments)
    self.agents = Agents()


RootManager.__init__ = with_agents

if __name__ == "__main__":
    bluezoo.main()
