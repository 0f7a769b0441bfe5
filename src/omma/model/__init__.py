"""The network: picture rows and token ids in, hidden states and logits out. No files, no sampling."""
