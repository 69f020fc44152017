#!/usr/bin/perl
# What Mail::SPF and Mail::DMARC make of messages: a JSON object a line in, one a line out. They share no code with
# the product. Debian: libmail-spf-perl, libmail-dmarc-perl.
use strict;
use warnings;
use JSON::PP;
use Mail::DMARC::Base;
use Mail::DMARC::PurePerl;
use Mail::SPF;
use Net::DNS::Resolver;

# The names of labs lie under these two alone, and "example" is in no list of suffixes.
{
    no warnings 'redefine';
    *Mail::DMARC::Base::is_public_suffix = sub { return $_[1] =~ /^(?:com|example)$/i ? 1 : 0 };
}

# A zone does not change while messages are judged: each question is asked once.
package Remembering {
    use parent -norequire, 'Net::DNS::Resolver';
    my %known;
    sub forget { %known = (); return }
    sub send {
        my ( $self, @question ) = @_;
        return $self->SUPER::send(@question) if ref $question[0];
        my $key = lc join ' ', @question;
        return $known{$key} //= $self->SUPER::send(@question);
    }
}

$| = 1;
my $json = JSON::PP->new->canonical;
my ( $known, $resolver, $spf ) = ( 0, undef, undef );

while ( my $line = <STDIN> ) {
    my $message = $json->decode($line);
    my $answer = eval { judge($message) } || { error => "$@" };
    print $json->encode($answer), "\n";
}

sub judge {
    my ($message) = @_;
    if ( $known != $message->{port} ) {
        $known    = $message->{port};
        Remembering::forget();
        $resolver = Remembering->new(
            nameservers => ['127.0.0.1'],
            port        => $known,
            recurse     => 1,
            dnsrch      => 0,
            udp_timeout => 3,
            tcp_timeout => 3,
            retry       => 1,
        );
        $spf = Mail::SPF::Server->new( dns_resolver => $resolver, hostname => 'receiver.example' );
    }
    my $sender = $message->{sender};
    my ( $scope, $identity ) = $sender ne '' ? ( 'mfrom', $sender ) : ( 'helo', $message->{helo} );
    my $result = $spf->process(
        Mail::SPF::Request->new(
            scope         => $scope,
            identity      => $identity,
            ip_address    => $message->{client},
            helo_identity => $message->{helo},
        )
    );
    ( my $domain = $identity ) =~ s/.*\@//;
    my %answer = ( spf => $result->code, why => $result->text );
    return \%answer if !$message->{dmarc};
    my ($author) = $message->{author} =~ /\@([^@]+)$/;
    my $dmarc = Mail::DMARC::PurePerl->new;
    $dmarc->set_resolver($resolver);
    $dmarc->config->{report_store}{auto_save} = 0;
    $dmarc->source_ip( $message->{client} );
    $dmarc->envelope_to('receiver.example');
    $dmarc->envelope_from($domain);
    $dmarc->header_from($author);
    my $dkim = $message->{dkim};
    $dmarc->dkim( $dkim ? [ { domain => $dkim, selector => 'nl', result => 'pass' } ] : [] );
    $dmarc->spf( [ { scope => $scope, domain => $domain, result => $result->code } ] );
    my $verdict = $dmarc->validate;
    $answer{dmarc}       = $verdict->result;
    $answer{disposition} = $verdict->disposition;
    return \%answer;
}
