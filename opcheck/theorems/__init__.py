"""The statements, one family a file. Every constant is put to the test by ``opcheck verify``."""
