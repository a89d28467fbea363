"""The gateway (前置机): one YAML file in, signed verdicts out. Its front door is `huodang.exchange`."""
