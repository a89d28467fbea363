"""Clues (疑点): from finding to outcome, with evidence frozen, a deadline and a person who decides."""
