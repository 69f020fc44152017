#!/usr/bin/perl
# What Mail::DKIM makes of the signatures of messages: a JSON object a line in, one a line out. It shares no code with the
# product. Debian: libmail-dkim-perl. Of Ed25519 it knows nothing.
use strict;
use warnings;
use JSON::PP;
use MIME::Base64;
use Mail::DKIM::DNS;
use Mail::DKIM::Verifier;
use Net::DNS::Resolver;

$| = 1;
my $json = JSON::PP->new->canonical->ascii;
while ( my $line = <STDIN> ) {
    my $asked  = $json->decode($line);
    my $answer = eval { verify($asked) } || { error => "$@" };
    print $json->encode($answer), "\n";
}

sub verify {
    my ($asked) = @_;
    Mail::DKIM::DNS::resolver(
        Net::DNS::Resolver->new(
            nameservers => ['127.0.0.1'],
            port        => $asked->{port},
            recurse     => 1,
            dnsrch      => 0,
            udp_timeout => 3,
            tcp_timeout => 3,
            retry       => 1,
        )
    );
    my $verifier = Mail::DKIM::Verifier->new;
    $verifier->PRINT( decode_base64( $asked->{message} ) );
    $verifier->CLOSE;
    return { signatures => [ map { told($_) } $verifier->signatures ] };
}

sub told {
    my ($signature) = @_;
    my $key = eval { $signature->get_public_key };
    return {
        domain    => lc( $signature->domain   // '' ),
        selector  => $signature->selector     // '',
        algorithm => lc( $signature->algorithm // '' ),
        result    => $signature->result       // '',
        detail    => $signature->result_detail // '',
        expires   => 0 + ( $signature->expiration // 0 ),
        bits      => $key ? eval { $key->size } // 0 : 0,
        test      => $key && ( $key->flags // '' ) =~ /\by\b/ ? JSON::PP::true : JSON::PP::false,
    };
}
