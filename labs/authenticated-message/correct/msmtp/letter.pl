use strict;
use warnings;
use Encode qw(decode encode);
use MIME::Base64;
use POSIX qw(strftime);

sub words {
    my ($text) = @_;
    return $text if $text =~ /^[ -~]*$/;
    # The library knows where encoded words may be cut, and folds between them.
    return encode("MIME-Header", decode("UTF-8", $text));
}

sub author {
    my ($name, $address) = @_;
    return $address if $name eq "";
    return words($name) . " <$address>" if $name =~ /[^ -~]/;
    $name =~ s/([\\"])/\\$1/g;
    return "\"$name\" <$address>";
}

my %env = map { $_ => $ENV{"MAIL_$_"} // "" } qw(FROM FROM_NAME TO CC SUBJECT BODY_FILE);
(my $domain = $env{FROM}) =~ s/.*@//;
my @fields = (
    strftime("Date: %a, %d %b %Y %H:%M:%S +0000", gmtime),
    "From: " . author($env{FROM_NAME}, $env{FROM}),
    "To: " . join(", ", split /,/, $env{TO}),
    "Subject: " . words($env{SUBJECT}),
    sprintf("Message-ID: <%x.%x.%x\@%s>", time, $$, rand 2**48, $domain),
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: base64",
);
push @fields, "Cc: " . join(", ", split /,/, $env{CC}) if $env{CC};
open my $file, "<:raw", $env{BODY_FILE} or die "send: $env{BODY_FILE}: $!\n";
local $/;
print join("\n", @fields), "\n\n", encode_base64(<$file>);
