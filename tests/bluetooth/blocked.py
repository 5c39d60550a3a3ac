"""A daemon with one adapter that rfkill holds down: it refuses to be switched on, in BlueZ's own words. With `empty` as
argument there is no adapter at all."""

import asyncio
import sys

import sdbus


class Blocked(sdbus.DbusFailedError):
    dbus_error_name = "org.bluez.Error.Blocked"


class Adapter(sdbus.DbusInterfaceCommonAsync, interface_name="org.bluez.Adapter1"):
    @sdbus.dbus_property_async(property_signature="s")
    def Address(self) -> str:
        return "00:11:22:33:44:55"

    @sdbus.dbus_property_async(property_signature="b")
    def Powered(self) -> bool:
        return False

    @Powered.setter
    def switch_on(self, on: bool) -> None:
        raise Blocked("Blocked through rfkill")


async def main():
    bus = sdbus.sd_bus_open_system()
    sdbus.set_default_bus(bus)
    manager = sdbus.DbusObjectManagerInterfaceAsync()
    manager.export_to_dbus("/", bus)
    kept = [] if sys.argv[1:] == ["empty"] else [manager.export_with_manager("/org/bluez/hci0", Adapter(), bus)]
    await bus.request_name_async("org.bluez", 0)
    await asyncio.Event().wait()
    del kept


asyncio.run(main())
