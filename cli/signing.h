/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures of the root of a bundle, made and checked by ssh-keygen: no private key is handled
 * here. */
#ifndef CLI_SIGNING_H
#define CLI_SIGNING_H

#include "cli/cli.h"

enum cli_signature {
	CLI_SIGNATURE_NONE,	 /* there is none */
	CLI_SIGNATURE_UNCHECKED, /* ssh-keygen is not there */
	CLI_SIGNATURE_ANYBODY,	 /* it is right, but nobody said whose it may be */
	CLI_SIGNATURE_GOOD,	 /* by one of those who may sign */
	CLI_SIGNATURE_BAD,
};

const char *cli_signature_name(enum cli_signature s); /* "none", ... */
/* Write @file.sig, made with the key in the file @key (or that an agent has). Return: 0, or an exit
 * status (told). */
int cli_sign(const char *key, const char *file);
/*
 * Check @file.sig. @signers: a file of ssh's allowed signers, or NULL. @who: receives what
 * ssh-keygen tells of the signer: untrusted text.
 */
enum cli_signature cli_check_signature(const char *file, const char *signers, struct buf *who);

#endif
