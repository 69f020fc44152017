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
        return $known{$key} //= without_aliases( $question[1], $self->SUPER::send(@question) );
    }

    # Mail::SPF takes an alias that leads nowhere for something found. RFC 7208 section 4.6.4 does not: the name to which
    # it leads does not exist, or has no such record.
    sub without_aliases {
        my ( $type, $packet ) = @_;
        return $packet if !$packet || !$type || $type eq 'CNAME';
        my @found = grep { $_->type eq $type } $packet->answer;
        $packet->pop('answer') for $packet->answer;
        $packet->push( answer => @found );
        return $packet;
    }
}

# Mail::DMARC compares the version with a record's strings joined by blanks. They are joined by nothing (RFC 9989 section 4.6,
# RFC 7208 section 3.3): a version that a string ends in the middle of is one all the same.
{
    no warnings 'redefine';
    require Net::DNS::RR::TXT;
    my $strings = \&Net::DNS::RR::TXT::txtdata;
    *Net::DNS::RR::TXT::txtdata = sub {
        my @strings = $strings->(@_);
        return wantarray ? @strings : join '', @strings;
    };
}

# Of more than ten mail servers RFC 4408, which Mail::SPF follows, looks at ten; RFC 7208 section 4.6.4 ends in permerror.
{
    no warnings 'redefine';
    require Mail::SPF::Mech::MX;
    my $match = \&Mail::SPF::Mech::MX::match;
    *Mail::SPF::Mech::MX::match = sub {
        my ( $self, $server, $request ) = @_;
        my $packet = $server->dns_lookup( $self->domain( $server, $request ), 'MX' );
        $server->throw_result( 'permerror', $request, 'more than ten mail servers' ) if $packet->answer > 10;
        return $match->(@_);
    };

    # A macro that is none breaks a record for everybody (RFC 7208 section 4.6), and not only once it is expanded.
    require Mail::SPF::Term;
    my $parse = \&Mail::SPF::Term::parse_domain_spec;
    *Mail::SPF::Term::parse_domain_spec = sub {
        my ( $self, @required ) = @_;
        $parse->(@_);
        my $spec = $self->{domain_spec} // return;
        throw Mail::SPF::EInvalidMacroString( 'No macro in ' . $spec->text )
            if $spec->text =~ /%\{[^slodiphv]|%\{.0+r?\W*\}/i;
        return;
    };

    # An IPv4 address is listed by "ip4" alone (RFC 7208 section 5), and not by an ip6 that maps it.
    require Mail::SPF::Mech::IP6;
    my $within = \&Mail::SPF::Mech::IP6::match;
    *Mail::SPF::Mech::IP6::match = sub { return $_[2]->ip_address->version == 4 ? 0 : $within->(@_) };
}

$| = 1;
# What a record says may be any octets, and stands in why it was refused.
my $json = JSON::PP->new->canonical->ascii;
my ( $known, $resolver, $spf ) = ( '', undef, undef );

while ( my $line = <STDIN> ) {
    my $message = $json->decode($line);
    my $answer = eval { judge($message) } || { error => "$@" };
    print $json->encode($answer), "\n";
}

sub judge {
    my ($message) = @_;
    if ( $known ne $message->{world} ) {
        $known    = $message->{world};
        Remembering::forget();
        $resolver = Remembering->new(
            nameservers => ['127.0.0.1'],
            port        => $message->{port},
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
