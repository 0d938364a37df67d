"""Measurements that are run by hand, and by the slow tests."""
