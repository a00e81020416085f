"""A whole house is tortured: its processes are killed and its network misbehaves while people write and answers go out.
Then what the network knows is compared with what the house has.

    python -m tests.torture --posts 20000 --faults 100 --seed 1
"""
