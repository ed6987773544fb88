-- End of the pause of the agent after a person replied on the shop's phone; null without a pause. It
-- stays when the pause is over, until the agent continues.
ALTER TABLE conversations ADD COLUMN agent_paused_until BIGINT;
