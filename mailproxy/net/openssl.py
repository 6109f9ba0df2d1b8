"""The library that TLS is made with."""

import ssl
from typing import Final

VERSION: Final = ssl.OPENSSL_VERSION
"""Its name and version, like `OpenSSL 3.0.15 3 Sep 2024`."""
