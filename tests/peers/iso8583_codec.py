"""A second codec of ISO 8583: `pyiso8583`, which is not ours, with its own table of data elements. A line of JSON in, a line
out: {"bitmap": "binary" | "hex", "decode": HEX} gives {"t": MTI, "fields": {...}}, {"bitmap", "t", "fields"} gives {"hex"};
what it refuses gives {"error"}. Binary elements are in hex."""

import copy
import json
import sys

import iso8583
from iso8583.specs import default_ascii


def spec(bitmap):
    table = copy.deepcopy(default_ascii)
    if bitmap == "binary":
        for name in ("p", "1"):
            table[name].update(data_enc="b", max_len=8)
    # Its default writes binary elements as text.
    for name in ("52", "64", "96", "128"):
        table[name].update(data_enc="b", max_len=8)
    table["55"].update(data_enc="b", max_len=255)
    # ISO 8583:1987 has six additional amounts, its default twice as much.
    table["54"].update(max_len=120)
    return table


SPECS = {bitmap: spec(bitmap) for bitmap in ("binary", "hex")}


def answer(asked):
    table = SPECS[asked["bitmap"]]
    if "decode" in asked:
        known, _ = iso8583.decode(bytes.fromhex(asked["decode"]), table)
        fields = {name: value for name, value in known.items() if name.isdigit() and name != "1"}
        return {"t": known["t"], "fields": fields}
    written, _ = iso8583.encode({"t": asked["t"], **asked["fields"]}, table)
    return {"hex": written.hex()}


for line in sys.stdin:
    try:
        said = answer(json.loads(line))
    except ValueError as why:
        said = {"error": str(why)}
    print(json.dumps(said))
