"""The version of the package, which is that of the library it needs."""

VERSION = "1.0.0"
