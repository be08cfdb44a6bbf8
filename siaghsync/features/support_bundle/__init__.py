"""One zip for whoever helps: how things stand, without a name, number, address or amount."""
