"""`serab report`: one HTML file that asks nobody for anything."""
