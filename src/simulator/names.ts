import type { Random } from './random.ts'

// All made up, in several scripts and directions: whoever reads them meets what is real.
const adjectives = words(
  'Amber Borrowed Crooked Distant Electric Faded Gentle Hollow Idle Jagged Late Lunar',
  'Midnight Northern Paper Quiet Restless Salted Tangled Velvet Wandering Yellow',
)
const nouns = words(
  'Anchor Balcony Cartographer Daylight Escalator Ferry Garden Harbour Island Junction Kettle',
  'Lantern Meridian Nightbus Orchard Parade Quarry Rooftop Satellite Terminus Umbrella Viaduct',
  'Window Zeppelin',
)
const artists = phrases(
  'Aoife Ní Bhriain-Test|Björk-Åse Lindqvist|Chidi Okonjo-Vale|Dvořáková & Syn|Esperança Muñoz',
  'Łukasz Żółty|Ngọc Ánh|Ólafur Þór|Señor Jengibre|Zoë D’Août|夜行列車クラブ|紙船樂隊|푸른 등대',
  'Тихий Океанариум|Το Νησί των Γάτων|نجوم الميناء|מגדלור הצפון|नीली पतंग|เรือกระดาษ|የቡና ቤት',
  'ქარის ქალაქი|LÄRM°LÄRM',
)
const titles = phrases(
  '海辺の信号|最後的渡輪|새벽 세 시|Сны о метро|Άνοιξη στο λιμάνι|قمر فوق السطح|הרכבת האחרונה',
  'बारिश के बाद|ฝนเดือนหก|Été à l’envers|Straße ohne Ende|São João às 5',
)
const signs = words('🌊 🚋 👩‍🚀 🏳️‍🌈 🕯️ ✨')
const moods = phrases('Running|Sunday|Deep Focus|Kitchen|Road Trip|Rain|Year’s Best')

/** The name of a made-up artist. */
export function artistName(random: Random): string {
  const way = random.below(10)
  if (way < 3) return `The ${random.pick(adjectives)} ${random.pick(nouns)}s`
  if (way < 6) return `${random.pick(nouns)} ${random.pick(nouns)}`
  if (way < 7) return `${random.pick(adjectives).toUpperCase()} ${random.pick(signs)}`
  if (way < 9) return random.pick(artists)
  return `${random.pick(artists)} ${random.below(90) + 10}`
}

/** The title of a made-up track or album; one in a hundred is very long. */
export function title(random: Random): string {
  const way = random.below(100)
  if (way < 40) return `${random.pick(adjectives)} ${random.pick(nouns)}`
  if (way < 55)
    return `${random.pick(nouns)} of the ${random.pick(adjectives)} ${random.pick(nouns)}`
  if (way < 65) return `"${random.pick(adjectives)}" \\ ${random.pick(nouns)} (It's a Remix)`
  if (way < 75) return `${random.pick(nouns)} ${random.pick(signs)}`
  if (way < 95) return random.pick(titles)
  if (way < 99) return `${random.pick(nouns)} - Live, ${random.below(60) + 1965}`
  const parts = Array.from({ length: 20 }, () => `${random.pick(adjectives)} ${random.pick(nouns)}`)
  return `Movement I: ${parts.join(', ')}`
}

/** The name that an owner gave a playlist. */
export function playlistName(random: Random): string {
  return `${random.pick(moods)} ${random.chance(0.3) ? random.pick(signs) : random.pick(nouns)}`
}

function words(...lines: string[]) {
  return lines.join(' ').split(' ')
}

function phrases(...lines: string[]) {
  return lines.join('|').split('|')
}
