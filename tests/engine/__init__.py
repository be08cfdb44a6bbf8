"""Exactly once, put to the proof: real runs against the sandbox, killed and disturbed wherever that is possible.

`bench` starts runs and kills them, `fake_customers` invents customers, `oracle` compares what is with what ought to be. On them
stand `sweep` (a kill at every event), `test_machine` (anything in any order) and `soak` (seven days).
"""
