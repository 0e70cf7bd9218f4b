"""What a plugin must never do at import."""

import sys

print("goodbye")
sys.exit("this plugin ends the process that imports it")
