"""What things are and what should happen: pure, without network, disk, clock or chance."""
