"""Certification (资格认证): proof that a person is still entitled, silent by data first."""
