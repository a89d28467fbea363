"""Anomaly scores (异常评分) over payments and contributions, each explained by its features, and the network of what is shared."""
