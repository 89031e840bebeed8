"""Digests, and base 64."""

import base64
import hashlib
import hmac

print(hashlib.sha256(b"tax").hexdigest())
print(hashlib.md5(b"tax").hexdigest(), hashlib.sha1(b"").hexdigest())
digest = hashlib.sha512()
for n in range(100):
    digest.update(b"%d" % n)
print(digest.hexdigest()[:32], hmac.new(b"key", b"text", "sha256").hexdigest()[:16])
print(base64.b64encode(bytes(range(20))), base64.b85encode(b"tax-probe"), base64.b32decode("ORQXQ==="))
