"""Decrypts what a simulated reader encrypted, with `pydukpt`, which is not ours: BDK, KSN and cipher text in hex come as
arguments, the clear text goes out in hex."""

import sys

import pydukpt
from Crypto.Cipher import DES3

bdk, ksn, sealed = (bytes.fromhex(argument) for argument in sys.argv[1:])
working = pydukpt.data_request_key(pydukpt.derive_key(pydukpt.derive_ipek(bdk, ksn), ksn))
print(DES3.new(working, DES3.MODE_CBC, bytes(8)).decrypt(sealed).hex())
