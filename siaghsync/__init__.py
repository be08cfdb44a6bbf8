"""siaghsync keeps Siagh (finance) in step with Payamgostar (CRM)."""

__version__ = "0.1.0"
