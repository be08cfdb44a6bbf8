"""siaghsync keeps Siagh (finance) in step with Payamgostar (CRM)."""

__version__ = "1.0.0"
