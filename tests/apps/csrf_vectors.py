"""Writes csrf_vectors.txt: what Django's own masking makes of secrets and masks.

    python tests/apps/csrf_vectors.py > tests/apps/csrf_vectors.txt

`src/semantics/csrf.rs` has to come to the same.
"""

import random
import string
from unittest.mock import patch

import django
from django.middleware import csrf

LETTERS = string.ascii_letters + string.digits


def token(secret, mask):
    with patch.object(csrf, "_get_new_csrf_string", lambda: mask):
        masked = csrf._mask_cipher_secret(secret)
    assert csrf._unmask_cipher_token(masked) == secret
    return masked


def main():
    draw = random.Random(1)
    text = lambda: "".join(draw.choice(LETTERS) for _ in range(32))
    pairs = [(text(), text()) for _ in range(48)]
    pairs += [(letter * 32, other * 32) for letter in "aZ9" for other in "aZ9"]
    print(f"# secret, mask and token, by Django {django.__version__}: csrf_vectors.py")
    for secret, mask in pairs:
        print(secret, mask, token(secret, mask))


main()
