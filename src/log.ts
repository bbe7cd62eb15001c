import type { BaseLogger } from 'pino'

/** Where a part writes its log lines: pino's, or a child of it that names the part. */
export type Log = Pick<BaseLogger, 'debug' | 'info' | 'warn' | 'error'>
