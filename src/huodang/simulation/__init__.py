"""The simulation: a synthetic province with six departments, as real processes.

For demonstrations, tests and benchmarks. Front door: `make_population` makes the people from a seed; `lay_out` a whole
deployment on one machine (`World`); `Processes` starts and ends hub, portal and six gateways; `Journey` takes the due
people through the joint case over HTTP, as users do. It imports every room but `web`, which it meets only over HTTP.
"""
