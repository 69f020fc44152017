"""The arrival oracle: hunts for submissions whose grade is not what their server, or their zone, deserves.

``make oracle LAB=open-relay N=100 SEED=autumn`` changes a right submission at random, runs it, sends from a wide random
set of people who know nothing of the lab's checks, and compares what arrived with the rules of the handout, stated
here once more and independently, and with the verdict. ``LAB=spf-dmarc`` does the same with zones; what receivers
conclude is worked out by Mail::SPF and Mail::DMARC (``apt-get install libmail-spf-perl libmail-dmarc-perl``), which
share no code with the product. ``LAB=dkim`` mutates a server that signs, and Mail::DKIM reads what it sent.
``LAB=authenticated-message`` mutates programs that send mail, in several languages, and runs them among servers of its
own.
``LAB=simulator`` plays drawn dialogues to the lesson's simulator and to the real Postfix behind it.

Each disagreement is printed with how to replay it (``--only SEED/NUMBER``); the exit status is 1 if there was one.
"""
