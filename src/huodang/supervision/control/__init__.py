"""Payment control (发放控制): hold, stop, resume, arbitration, back pay, notices, and the gate of the monthly list."""
