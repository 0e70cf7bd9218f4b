"""What the machine and this process are: cores, memory, locks, clocks, the network, files of others."""
