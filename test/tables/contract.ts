import { readFileSync } from 'node:fs'
import type { SparkStruct } from '../../src/schema/spark.ts'

/** What pipelines know of a table. */
type Contract = {
  metadata: { primary_keys: string[]; ingestion_type: string; cursor_field?: string }
  schema: SparkStruct
}

/** The tables that pipelines have today, and the columns of ours at their ends. */
export const contract: Record<string, Contract> = JSON.parse(
  readFileSync(new URL('contract.json', import.meta.url), 'utf8'),
)
