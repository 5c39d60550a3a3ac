"""Feeds ESC/POS bytes to emupos, another project's printer, and says as JSON what it made of them.

Usage: read_back.py FILE.bin --dots N --pages 19=858,0=437 --png PREFIX
Rows keep the blanks at their left. emupos writes a symbol (QR code, picture) as a row of its own in the text.
"""

import argparse
import json
import sys

import yaml
from importlib.resources import files

from emupos.config import PrinterProfile
from emupos.printer.printer import Printer


def profile(dots, pages):
    """Its own Epson, of another width and with the printer's own page numbers; pages that it does not know are left out."""
    text = files("emupos").joinpath("profiles/printers/epson-tm-t20iii.yaml").read_text()
    data = yaml.safe_load(text)
    known = set(data["code_pages"].values())
    named = {int(number): f"PC{code}" for number, code in (page.split("=") for page in pages.split(","))}
    data["width_dots"] = dots
    data["code_pages"] = {0: "PC437"} | {n: name for n, name in named.items() if name in known}
    return PrinterProfile.model_validate(data)


def main():
    args = argparse.ArgumentParser()
    args.add_argument("file")
    args.add_argument("--dots", type=int, required=True)
    args.add_argument("--pages", required=True)
    args.add_argument("--png", required=True)
    args = args.parse_args()
    printer = Printer("judge", profile(args.dots, args.pages), sensor_open_level="high", job_idle_timeout_ms=1000)
    with open(args.file, "rb") as file:
        data = file.read()
    steps = [printer.open_connection(1, 0.0), printer.receive(1, data, 0.1), printer.close_connection(1, 5.0)]
    receipts, events, replies = [], [], b""
    for step in steps:
        events += [event.type.value if hasattr(event.type, "value") else str(event.type) for event in step.events]
        replies += b"".join(write.data for write in step.writes)
        for receipt in step.receipts:
            png = f"{args.png}-{len(receipts) + 1}.png"
            with open(png, "wb") as file:
                file.write(receipt.png)
            receipts.append({"boundary": str(receipt.boundary), "rows": receipt.text.splitlines(), "png": png})
    details = [repr(event) for step in steps for event in step.events]
    json.dump({"receipts": receipts, "events": events, "replies": replies.hex(), "details": details}, sys.stdout)


main()
