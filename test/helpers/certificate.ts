// Made for these tests alone, signed by itself, good for a hundred years: nobody else trusts it.

/** The certificate of localhost, 127.0.0.1 and spotify.test, PEM; also the authority that signed it. */
export const cert = `-----BEGIN CERTIFICATE-----
MIIBqTCCAU+gAwIBAgIUKgIheGFBV1eQS/B40ejLvcYtSpwwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNTEzNDMyMVoYDzIxMjYxMTAx
MTM0MzIxWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASLhFoYgUC/tyx9S+nVCexXKNoAFZcosl/k33kqKM+kkzfHIgS6IjKB
vmX1SH+0ghjjCHrL4K5quVD8/fkrAbm3o30wezAdBgNVHQ4EFgQUBukl7Yva6KkX
2b1anj63ZmPDAzIwHwYDVR0jBBgwFoAUBukl7Yva6KkX2b1anj63ZmPDAzIwKAYD
VR0RBCEwH4IJbG9jYWxob3N0ggxzcG90aWZ5LnRlc3SHBH8AAAEwDwYDVR0TAQH/
BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiA6msJnyhb+PS3Z6CIPqUuXRDFqKq3B
f3xNG8C//b33FgIhAMHJ3YGrdk/iQnkp5iy5JfJiGG4RlgW87Oab9R3F3HFe
-----END CERTIFICATE-----
`

/** Its key, PEM. */
export const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgCszv7zJ+ftuJ5z3m
6KHQJHH+hrOQVrkRoJfouWlGyT+hRANCAASLhFoYgUC/tyx9S+nVCexXKNoAFZco
sl/k33kqKM+kkzfHIgS6IjKBvmX1SH+0ghjjCHrL4K5quVD8/fkrAbm3
-----END PRIVATE KEY-----
`
