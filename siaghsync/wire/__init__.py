"""The network: one way out, two vendors' clients, and what their answers mean."""
