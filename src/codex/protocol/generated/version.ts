// GENERATED CODE! DO NOT MODIFY BY HAND!

/** The Codex CLI whose protocol this folder holds. */
export const protocolVersion = '0.169.0';
