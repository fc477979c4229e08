"""Complaints and work orders: categories, places, filing, routing to the city's dispatch system."""
