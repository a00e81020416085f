"""Social Hub, the house itself."""

VERSION = "0.1.0"
