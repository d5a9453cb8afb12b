"""The tables of larder_client.django: the outbox."""
