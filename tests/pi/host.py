"""Plays the world around an emulated board: the printer on its serial line, and the pins of its header.

Usage: host.py FOLDER PROGRAM ; FOLDER has vmlinuz, pi3.dtb and board.gz, PROGRAM is tillroll for this machine.
Ends with a line for each of what was watched; exit status 0 if all of it held.

QEMU's model of the Pi 3B has the PL011, and pins that can be read and driven. It has no interrupts of pins, no pulls, and
sends a byte as soon as it is written, whatever the baud rate. Edges are tried on the machine `virt`, whose PL061 has them.
"""

import atexit
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time

BUSY, DRAWER = 16, 17
CHUNK = 16  # bytes behind a raised busy line, at most
PAUSES = 12
# What a printer is asked before its first receipt: DLE EOT 2, 3, 4, twice since nobody answers, and GS r 1.
QUESTIONS = bytes.fromhex("100402100403100404") * 2 + bytes.fromhex("1d7201")
GPIO = 0x3F200000  # of a BCM2837; registers as in the peripherals' manual, section 6.1
GPSET0, GPCLR0 = 0x1C, 0x28
PULSE_MS = (50, 1000)  # the drawer's; 100 on a board, an emulated one may stop for a while
BOOT_MAX_S, STEP_MAX_S = 90, 60


class Board:
    def __init__(self, folder, machine, args, append):
        self.at = tempfile.TemporaryDirectory(prefix="board-")
        path = lambda name: os.path.join(self.at.name, name)
        line = lambda name, wait: f"unix:{path(name)},server=on,wait={wait}"
        command = ["qemu-system-aarch64", "-M", machine, *args, "-accel", "tcg,thread=single"]
        command += ["-kernel", f"{folder}/vmlinuz", "-initrd", f"{folder}/board.gz", "-append", f"quiet panic=-1 {append}"]
        command += ["-display", "none", "-nodefaults", "-no-reboot", "-qmp", line("qmp", "off"), "-qtest", line("qtest", "off")]
        names = ["console"] if machine == "virt" else ["uart", "console"]
        for name in names:
            command += ["-serial", line(name, "on")]
        self.log = open(path("log"), "w+")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)
        atexit.register(self.process.kill)  # also where this ends early
        self.sockets = {name: self.connect(path(name)) for name in [*names, "qmp", "qtest"]}
        self.edges, self.answers, self.uart = [], [], bytearray()
        self.told = threading.Condition()
        self.qtest = self.sockets["qtest"].makefile("rwb", 0)
        self.qmp = self.sockets["qmp"].makefile("rwb", 0)
        self.qmp.readline()
        threading.Thread(target=self.listen_qtest, daemon=True).start()
        self.execute("qmp_capabilities")
        self.lines, self.rest, self.reading = [], b"", threading.Lock()
        if "uart" in self.sockets:
            threading.Thread(target=self.listen_uart, daemon=True).start()

    def connect(self, path):
        for _ in range(200):
            try:
                made = socket.socket(socket.AF_UNIX)
                made.connect(path)
                return made
            except OSError:
                time.sleep(0.05)
        self.log.seek(0)
        raise SystemExit(f"the emulator did not start: {self.log.read()}")

    def listen_qtest(self):
        for line in self.qtest:
            word = line.decode().strip()
            with self.told:
                (self.edges if word.startswith("IRQ") else self.answers).append((time.monotonic(), word))
                self.told.notify_all()

    def ask(self, command):
        with self.told:
            self.answers.clear()
            self.qtest.write(command.encode() + b"\n")
            self.told.wait_for(lambda: self.answers, 10)
            assert self.answers and self.answers[0][1].startswith("OK"), (command, self.answers)

    def execute(self, command, **args):
        self.qmp.write((json.dumps({"execute": command, "arguments": args}) + "\n").encode())
        while True:
            answer = json.loads(self.qmp.readline())
            if "return" in answer or "error" in answer:
                return answer.get("return")

    def drive(self, pin, high):
        self.ask(f"writel {GPIO + (GPSET0 if high else GPCLR0):#x} {1 << pin:#x}")

    def listen_uart(self):
        """Keeps reading, or the emulator stops: it waits for whoever reads its serial line."""
        self.sockets["uart"].setblocking(False)
        while self.process.poll() is None:
            select.select([self.sockets["uart"]], [], [], 0.1)
            self.sent()

    def sent(self):
        """How many bytes the printer was sent by now."""
        with self.reading:
            try:
                while got := self.sockets["uart"].recv(4096):
                    self.uart += got
            except (BlockingIOError, ConnectionError):
                pass
            return len(self.uart)

    def await_bytes(self, count, seconds):
        end = time.monotonic() + seconds
        while self.sent() < count and time.monotonic() < end:
            time.sleep(0.001)
        return self.sent() >= count

    def line(self, seconds=STEP_MAX_S):
        """The next line on the console; what the printer is sent meanwhile is kept."""
        console, end = self.sockets["console"], time.monotonic() + seconds
        while b"\n" not in self.rest:
            if time.monotonic() > end:
                raise SystemExit(f"the board says nothing more; last: {self.lines[-15:]}")
            console.settimeout(0.2)
            try:
                self.rest += console.recv(4096)
            except socket.timeout:
                pass
        line, self.rest = self.rest.split(b"\n", 1)
        text = line.decode(errors="replace").strip()
        self.lines.append(text)
        return text

    def until(self, mark, seconds=STEP_MAX_S):
        """Goes on to a mark; the JSON objects on the way."""
        found = []
        while not (text := self.line(seconds)).endswith(f"## {mark}"):
            if f"## {mark} " in text:
                break
            if text.startswith("{"):
                found.append(json.loads(text))
        return found

    def end(self):
        self.execute("quit")
        self.process.wait(20)


def check(name, held, what):
    print(("held   " if held else "FAILED ") + f"{name}: {what}", flush=True)
    return held


def rendered(program, receipt=None):
    with tempfile.NamedTemporaryFile() as out:
        which = ["--receipt", receipt] if receipt else []
        command = [program, "printer", "render", "--profile", "generic-58", "--drawer-by-pin", "--out", out.name, "--json", *which]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return open(out.name, "rb").read()


def pi3(folder, program):
    board = Board(folder, "raspi3b", ["-dtb", f"{folder}/pi3.dtb"], "console=ttyS1,115200 iomem=relaxed nokaslr board=pi3")
    board.ask("irq_intercept_out /machine/soc/peripherals/gpio")
    held = []
    board.until("model", BOOT_MAX_S)
    model = board.lines[-1]
    held.append(check("model", "Raspberry Pi 3 Model B" in model, model))

    # A whole receipt, nothing in its way.
    board.until("print")
    began, board.uart = len(board.edges), bytearray()
    ends = board.until("held")
    want, got = rendered(program), bytes(board.uart)
    held.append(check("bytes", got == QUESTIONS + want, f"{len(got)} sent, {len(QUESTIONS)} + {len(want)} wanted"))
    held.append(check("end", ends and ends[-1].get("by") == "model", ends))
    pulse = [edge for edge in board.edges[began:] if edge[1].endswith(f" {DRAWER}")]
    words = [word.split()[1] for _, word in pulse]
    ms = round((pulse[1][0] - pulse[0][0]) * 1000) if words == ["raise", "lower"] else 0
    held.append(check("drawer", PULSE_MS[0] <= ms <= PULSE_MS[1], f"{words}, {ms} ms"))

    # A long one, with the busy line raised again and again.
    board.uart, behind = bytearray(), []
    board.drive(BUSY, False)
    while len(behind) < PAUSES and board.await_bytes(len(QUESTIONS) + 100 * (len(behind) + 1), 20):
        board.drive(BUSY, True)
        before = board.sent()
        time.sleep(0.3)
        behind.append(board.sent() - before)
        board.drive(BUSY, False)
    ends = board.until("busy")
    stopped = len(behind) == PAUSES and max(behind) <= CHUNK
    held.append(check("busy", stopped, f"bytes sent behind a raised line: {behind}"))
    want, got = rendered(program, f"{folder}/receipt.json"), bytes(board.uart)
    held.append(check("bytes held back", got == QUESTIONS + want, f"{len(got)} sent, {len(QUESTIONS)} + {len(want)} wanted"))
    held.append(check("end held back", ends and ends[-1].get("by") == "model", ends))

    # A printer that is not there reads busy, and nothing is sent to it.
    board.drive(BUSY, True)
    ends = board.until("end")
    held.append(check("not there", bool(ends) and ends[-1].get("busy") is True and ends[-1].get("ready") is False, ends))
    board.end()
    return held


def virt(folder):
    board = Board(folder, "virt", ["-cpu", "cortex-a53", "-m", "512"], "console=ttyAMA0 board=virt")
    listed = board.execute("qom-list", path="/machine/unattached")
    [chip] = ["/machine/unattached/" + entry["name"] for entry in listed if entry["type"] == "child<pl061>"]
    board.until("edges", BOOT_MAX_S)
    edges, wanted = [], ["rising", "falling", "rising", "falling"]
    while "watching" not in board.line():
        pass
    for word in wanted:
        board.ask(f"set_irq_in {chip} unnamed-gpio-in 1 {int(word == 'rising')}")
        edges.append(json.loads(board.line()).get("edge"))
    held = [check("edges", edges == wanted, edges)]
    board.until("no-pi")
    told = board.until("end")
    polite = told and "no Raspberry Pi" in json.dumps(told[-1])
    held.append(check("no Pi", polite, told))
    board.end()
    return held


folder, program = sys.argv[1:3]
held = pi3(folder, program) + virt(folder)
print(f"{sum(map(bool, held))} of {len(held)} held")
sys.exit(0 if all(held) else 1)
