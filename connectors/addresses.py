"""Which addresses of other computers may be asked, and finding them out. `connectors.http` opens no others."""

import ipaddress
import queue
import socket
import threading

from connectors.errors import TooSlow


def is_public(address: str) -> bool:
    """Whether this IP address can be asked by anybody anywhere. An IPv4 address inside an IPv6 one is judged itself."""
    one = ipaddress.ip_address(address)
    if one.version == 6 and (inner := _embedded(one)):
        return is_public(str(inner)) and not any(one in each for each in _NEVER)
    if any(one in each for each in _NEVER) or one.is_multicast or one.is_reserved or not one.is_global:
        return False
    # Whatever else IPv6 has is not in use; when that changes, nobody has judged it yet.
    return one.version == 4 or one in _UNICAST


def resolve(host: str, port: int) -> list[str]:
    """The addresses of this name, by the system's resolver. Raises OSError or ValueError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(where[0]) for *_, where in found))


_UNICAST = ipaddress.ip_network("2000::/3")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
#: Reserved ranges that `is_global` does not know in every Python that we run on.
_NEVER = [
    ipaddress.ip_network(each)
    for each in (
        *("0.0.0.0/8", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "240.0.0.0/4"),
        *("::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "2001::/23", "2001:db8::/32", "3fff::/20", "fec0::/10"),
    )
]


def _embedded(one: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that a packet to this one ends at: mapped, 6to4, NAT64 or ISATAP."""
    if one.ipv4_mapped or one.sixtofour:
        return one.ipv4_mapped or one.sixtofour
    isatap = (int(one) >> 32) & 0xFDFFFFFF == 0x00005EFE
    return ipaddress.IPv4Address(int(one) & 0xFFFFFFFF) if one in _NAT64 or isatap else None


def look_up(host: str, port: int, seconds: float) -> list[str]:
    """The system's resolver knows no end of its own, so it is asked in a thread that may be left behind."""
    found: queue.SimpleQueue = queue.SimpleQueue()

    def ask():
        try:
            found.put(resolve(host, port))
        except (OSError, ValueError):
            found.put([])

    threading.Thread(target=ask, daemon=True).start()
    try:
        return found.get(timeout=seconds)
    except queue.Empty:
        raise TooSlow(f"Looking up {host} took too long.") from None
