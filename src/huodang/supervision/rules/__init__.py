"""The rules (疑点规则): each declared once as an Ibis expression, with its law, its evidence and its planted cases."""
