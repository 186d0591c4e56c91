"""Videos: what a file holds, what is to become of it, and how ffmpeg makes that.

source.py      what was found in a file
plan.py        what it shall become: a pure function of source and options decides

binary.py      which ffmpeg
confined.py    under limits, and never longer than the thread that started it
process.py     to its end, or until its time is up
opening.py     how it opens somebody's file, and no other
probe.py       the story of looking at a file: sight.py (its first bytes), listing.py (what ffmpeg says), extent.py (how long it is)
languages.py   tags that are anybody's text, as codes
ladder.py      decides the plan; heights.py reads which heights people want

commands.py    its command lines, each for one purpose; storyboard.py lays out the small pictures
encode.py      one run of it: watched, held, ended; progress.py reads how far it is
arrivals.py    what it has finished so far

ffmpeg_playlist.py   the playlists that ffmpeg wrote, read
segments.py    what the bytes of its segments say: boxes.py reads fMP4, packets.py MPEG-TS; h264.py and aac.py their descriptions
gate.py        the proof that an encode is complete

keys.py        the key of encrypted segments, and the address that players are told; cipher.py encrypts with it

playlists.py   the playlists that are published, of single renditions; master.py that of all, with rates.py's measures
served.py      names of the files in the bucket, and how they are served
"""
