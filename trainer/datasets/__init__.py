"""The embedded data sets, and the script that makes them."""
