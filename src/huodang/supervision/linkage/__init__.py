"""Linkage of dirty records (记录关联): repaired numbers first, then weighed agreement, each link explained."""
