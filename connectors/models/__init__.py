"""Our channels and the ledger of what came through them; and the demo network, which is a network of its own."""

from connectors.models.channels import Channel, LeaseLost
from connectors.models.deliveries import Delivery
from connectors.models.demo import DemoClient, DemoNetwork, DemoPerson, DemoPost
from connectors.models.ledger import FetchRun, QuarantinedPost, Usage

__all__ = [
    "Channel",
    "Delivery",
    "DemoClient",
    "DemoNetwork",
    "DemoPerson",
    "DemoPost",
    "FetchRun",
    "LeaseLost",
    "QuarantinedPost",
    "Usage",
]
