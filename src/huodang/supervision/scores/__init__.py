"""Anomaly scores (异常评分), each explained by its features, and the network of what is shared."""
