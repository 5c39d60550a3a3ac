"""A card processor that speaks ISO 8583: the mock host of `iso8583sim`, which is not ours, with a ledger, so that a
doubled effect shows. Codec, framing and the rules are its own; duplicate detection and the faults are added here.

    iso8583_host.py [--port N] [--control N] [--format ascii-binary|ascii-hex] [--rules FILE]

It prints one line, {"port": N, "control": N}, and runs until its standard input ends. The control port takes one JSON
object a line and answers with one:

    {"do": "ledger"}                      everything, payments by RRN
    {"do": "payment", "rrn": RRN}         one payment, or null
    {"do": "fault", "mti": "010", "rrn": RRN, "action": ACTION, "times": N, ...}   for the next N (1) messages whose type
                                          begins so; without "rrn" for those of any payment
    {"do": "echo"}                        sends an 0800 of its own on every open connection
    {"do": "connections"}                 how many are open

ACTION: lose (before it has an effect), drop (after it), close (after it), delay ("ms"), garbage, oversize, cut ("bytes"),
twice, wait ("ms": answers 09 first), set ("fields": {"4": "..."} in the answer; null takes one out), code ("code": "91",
without an effect).
"""

import argparse
import asyncio
import contextlib
import json
import sys

from iso8583sim.core.emv import parse_emv_data
from iso8583sim.net.framing import Framing
from iso8583sim.net.host import ECHOED_FIELDS, MockHost, Rule, load_rules
from iso8583sim.core.types import ISO8583Message
from iso8583sim.wire import WireFormat, decode_message, encode_message

# By the amount of an authorisation, minor units, or the reader's key serial number: what the bank says. Everything else is approved.
RULES = [
    Rule(mti=["0100", "0101"], fields={4: "000000000505"}, respond="05"),
    Rule(mti=["0100", "0101"], fields={4: "000000000551"}, respond="51"),
    Rule(mti=["0100", "0101"], fields={4: "000000000591"}, respond="91"),
    Rule(mti=["0100", "0101"], fields={4: "000000001010"}, respond="10"),
    Rule(mti=["0100", "0101"], fields={59: "FFFF9876543210E00005"}, respond="05"),
    Rule(),
]
# Binary elements are bytes in both.
FORMATS = {"ascii-binary": WireFormat(), "ascii-hex": WireFormat(bitmap="hex")}
# Never in clear on this line: number, expiry, tracks, PIN.
IN_CLEAR = (2, 14, 34, 35, 36, 45, 52)
SHOWN = (7, 11, 12, 13, 18, 22, 25, 32, 37, 38, 41, 42, 49, 57, 58, 59, 60, 61, 62, 63, 90)


class Host(MockHost):
    """Every effect counted once for each (RRN, STAN); a repeat gets the first answer and is counted as a repeat."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.payments = {}
        self.answered = {}
        self.faults = []
        self.writers = set()
        self.seen = {}
        self.counts = {"repeats": 0, "sign_ons": 0, "echoes": 0, "reconciliations": 0, "connections": 0}
        self.echoed = []
        self.troubles = []

    # What has an effect

    def payment(self, rrn):
        fresh = {"authorised": [], "captured": [], "reversed": [], "refunded": [], "request": None, "follow": []}
        return self.payments.setdefault(rrn, fresh)

    def effect(self, request, rule):
        """The answer's code and fields, once; the same again for a repeat."""
        fields = request.fields
        key = (request.mti[:3], fields.get(37), fields.get(11))
        if key in self.answered:
            self.counts["repeats"] += 1
            return self.answered[key]
        self.answered[key] = said = self.take(request, rule)
        return said

    def take(self, request, rule):
        fields, kind = request.fields, request.mti[:3]
        rrn, stan, amount = fields.get(37), fields.get(11), int(fields.get(4, "0"))
        book = self.payment(rrn)
        if kind == "010":
            book["request"] = self.shown(request)
            if book["reversed"]:
                return "12", {}
            if rule.respond not in ("00", "10") or (rule.respond == "10" and 61 not in fields):
                book["declined"] = rule.respond
                return ("05" if rule.respond == "10" else rule.respond), {}
            approved = amount // 2 if rule.respond == "10" else amount
            book["authorised"].append({"stan": stan, "minor": approved, "of": amount})
            return rule.respond, {4: f"{approved:012}", 38: "A" + stan[-5:]}
        book["follow"].append(self.shown(request))
        if kind == "022":
            if not book["authorised"] or book["reversed"]:
                return "25", {}
            book["captured"].append({"stan": stan, "minor": amount})
            return "00", {}
        if kind in ("040", "042"):
            found = any(one["stan"] == fields[90][4:10] for one in book["authorised"])
            book["reversed"].append({"stan": stan, "found": found})
            return ("00" if found else "25"), {}
        if kind == "020" and fields.get(3, "").startswith("20"):
            left = sum(one["minor"] for one in book["captured"]) - sum(one["minor"] for one in book["refunded"])
            if amount > left:
                return "61", {}
            book["refunded"].append({"stan": stan, "minor": amount})
            return "00", {}
        return "12", {}

    def shown(self, request):
        shown = {str(n): request.fields[n] for n in SHOWN if n in request.fields}
        shown["t"] = request.mti
        if 55 in request.fields:
            shown["55"] = parse_emv_data(request.fields[55])
        return shown

    def totals(self, fields):
        """Our books against the caller's."""
        both = [one for book in self.payments.values() for one in book["captured"]]
        back = [one for book in self.payments.values() for one in book["refunded"]]
        ours = [len(back), len(both), sum(one["minor"] for one in back), sum(one["minor"] for one in both)]
        theirs = [int(fields[n]) for n in (74, 76, 86, 88)]
        net = bytes.fromhex(fields[97]).decode()
        same = ours == theirs and net == ("C" if ours[3] < ours[2] else "D") + f"{abs(ours[3] - ours[2]):016}"
        return ("00", {66: "1"}) if same else ("95", {66: "2"})

    # Answers

    def build_response(self, request, code):
        kind = request.mti[:3]
        extra = {}
        if kind in ("010", "020", "022", "040", "042"):
            code, extra = self.effect(request, self.rule_for(request))
        elif kind == "050":
            self.counts["reconciliations"] += 1
            code, extra = self.totals(request.fields)
        elif kind == "080":
            self.counts["sign_ons" if request.fields.get(70) == "001" else "echoes"] += 1
        response = super().build_response(request, code)
        response.fields.pop(38, None)
        response.fields.update(extra)
        return response

    def fault(self, request):
        for fault in self.faults:
            mine = request.mti.startswith(fault["mti"]) and fault.get("rrn") in (None, request.fields.get(37))
            if fault["times"] > 0 and mine:
                fault["times"] -= 1
                return fault
        return {"action": "none"}

    def frame(self, message):
        return self.framing.frame(encode_message(message, self.wire_format, self._builder))

    async def _answer(self, tpdu, data, writer):
        try:
            request = decode_message(data, self.wire_format, version=self.version)
            if request.mti == "0810":
                self.echoed.append(request.fields)
                return
            clear = [n for n in IN_CLEAR if n in request.fields]
            if clear:
                self.troubles.append(f"card data in clear: {clear}")
            self.seen[request.mti] = self.seen.get(request.mti, 0) + 1
            fault = self.fault(request)
            if fault["action"] == "lose":
                return
            if fault["action"] == "code":
                fields = {n: request.fields[n] for n in ECHOED_FIELDS if n in request.fields}
                mti = request.mti[:2] + str(int(request.mti[2]) + 1) + request.mti[3]
                response = ISO8583Message(mti=mti, fields={**fields, 39: fault["code"]})
            else:
                response = self.build_response(request, "00")
            await self.hand_over(fault, response, writer)
        except OSError:
            pass
        except Exception as why:  # The tests read it.
            self.troubles.append(f"{type(why).__name__}: {why}")

    async def hand_over(self, fault, response, writer):
        action = fault["action"]
        if action == "drop":
            return
        if action == "close":
            writer.close()
            return
        if action == "delay":
            await asyncio.sleep(fault["ms"] / 1000)
        if action == "set":
            for n, value in fault["fields"].items():
                response.fields.pop(int(n), None)
                if value is not None:
                    response.fields[int(n)] = value
        if action == "wait":
            early = ISO8583Message(mti=response.mti, fields={**response.fields, 39: "09"})
            early.fields.pop(38, None)
            writer.write(self.frame(early))
            await writer.drain()
            await asyncio.sleep(fault["ms"] / 1000)
        out = self.frame(response)
        if action == "garbage":
            out = len(out).to_bytes(2, "big") + b"\xfe" * len(out)
        if action == "oversize":
            out = b"\xff\xff" + out
        if action == "cut":
            out = out[: fault["bytes"]]
        writer.write(out * 2 if action == "twice" else out)
        await writer.drain()

    async def _handle(self, reader, writer):
        self.counts["connections"] += 1
        self.writers.add(writer)
        try:
            await super()._handle(reader, writer)
        finally:
            self.writers.discard(writer)

    # Control

    def ledger(self):
        return {
            "payments": self.payments, "seen": self.seen, "troubles": self.troubles, "echoed": self.echoed, **self.counts,
        }

    async def told(self, order):
        if order["do"] == "ledger":
            return self.ledger()
        if order["do"] == "payment":
            return self.payments.get(order["rrn"])
        if order["do"] == "fault":
            self.faults.append({"times": 1, **order})
            return {}
        if order["do"] == "connections":
            return len(self.writers)
        if order["do"] == "echo":
            for writer in self.writers:
                fields = {7: "1124120000", 11: "000777", 70: "301"}
                writer.write(self.frame(ISO8583Message(mti="0800", fields=fields)))
                await writer.drain()
            return {}
        raise ValueError(f"{order['do']!r} is no order")

    async def control(self, reader, writer):
        with contextlib.suppress(asyncio.CancelledError, OSError):
            while line := await reader.readline():
                try:
                    said = await self.told(json.loads(line))
                except (ValueError, KeyError) as why:
                    said = {"error": str(why)}
                writer.write(json.dumps(said).encode() + b"\n")
                await writer.drain()
        writer.close()


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--control", type=int, default=0)
    parser.add_argument("--format", choices=FORMATS, default="ascii-binary")
    parser.add_argument("--rules")
    given = parser.parse_args()
    rules = load_rules(given.rules) if given.rules else RULES
    host = Host(rules=rules, wire_format=FORMATS[given.format], framing=Framing("2b"))
    await host.start("127.0.0.1", given.port)
    control = await asyncio.start_server(host.control, "127.0.0.1", given.control)
    print(json.dumps({"port": host.port, "control": control.sockets[0].getsockname()[1]}), flush=True)
    # Ends with whoever started it.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
