# Completes dotnet-scaling and 'dotnet scaling' in fish. To have it in every shell:
#   dotnet scaling completion fish > ~/.config/fish/conf.d/dotnet-scaling.fish

# $argv[1]: the first of the words after the command's name
function __dotnet_scaling_reply
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    set -l line (string join -- ' ' dotnet-scaling $words[$argv[1]..] "$word")
    set -l candidates
    if command -q dotnet-scaling
        set candidates (dotnet-scaling "[suggest:"(string length -- $line)"]" $line 2> /dev/null)
    else
        set candidates (dotnet scaling "[suggest:"(string length -- $line)"]" $line 2> /dev/null) # a tool of the repository's manifest
    end
    if not string match -q -- '-*' "$word"
        set candidates (string match -v -- '-*' $candidates)
    end
    if test (count $candidates) -gt 0
        printf '%s\n' $candidates
    else
        __fish_complete_path "$word"
    end
end

function __dotnet_scaling_follows
    set -l words (commandline -opc)
    test (count $words) -ge 2; and test "$words[2]" = scaling
end

complete -c dotnet-scaling -f -a '(__dotnet_scaling_reply 2)'
complete -c dotnet -n __dotnet_scaling_follows -f -a '(__dotnet_scaling_reply 3)'
complete -c dotnet -n '__fish_use_subcommand' -a scaling -d 'Pipelines for scaling studies'
