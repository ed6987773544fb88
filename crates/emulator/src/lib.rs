//! A whole WhatsApp in a box: Meta's endpoints, phones and webhooks on this machine.
