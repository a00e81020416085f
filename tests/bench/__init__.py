"""How fast the house is: each figure beside a floor of its own, in the same run (`make bench`, docs/speed.md)."""
