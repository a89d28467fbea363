"""One run of a check (稽核比对): engine, canaries, certificate, findings and report."""
