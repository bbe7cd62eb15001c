import { readFileSync } from 'node:fs'
import type { SparkStruct } from '../../src/schema/spark.ts'

/** The tables that pipelines have today, and the columns of ours at their ends. */
export const contract: Record<string, { schema: SparkStruct }> = JSON.parse(
  readFileSync(new URL('../tables/contract.json', import.meta.url), 'utf8'),
)
