#compdef dotnet-scaling
# Completes dotnet-scaling and 'dotnet scaling' in zsh. In ~/.zshrc, after compinit:
#   source <(dotnet-scaling completion zsh)

(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }

_dotnet_scaling_suggest() {
    if (( $+commands[dotnet-scaling] )); then
        dotnet-scaling "[suggest:${#1}]" "$1" 2> /dev/null
    else
        dotnet scaling "[suggest:${#1}]" "$1" 2> /dev/null # a tool of the repository's manifest
    fi
}

# $1: the first of the words after the command's name
_dotnet_scaling_reply() {
    local line="dotnet-scaling ${(j: :)words[$1,CURRENT-1]} $PREFIX"
    local -a candidates
    candidates=(${(f)"$(_dotnet_scaling_suggest "$line")"})
    [[ $PREFIX == -* ]] || candidates=(${candidates:#-*})
    candidates=(${(M)candidates:#${(b)PREFIX}*})
    if (( $#candidates )); then
        compadd -- $candidates
    else
        _files
    fi
}

_dotnet_scaling() { _dotnet_scaling_reply 2 }

# dotnet keeps the completion that it has.
[[ ${_comps[dotnet]} == _dotnet_with_scaling ]] || typeset -g _dotnet_scaling_of_dotnet=${_comps[dotnet]}

_dotnet_with_scaling() {
    if [[ ${words[2]} == scaling ]] && (( CURRENT > 2 )); then
        _dotnet_scaling_reply 3
    elif [[ -n $_dotnet_scaling_of_dotnet ]]; then
        $_dotnet_scaling_of_dotnet "$@"
    else
        compadd -- scaling ${(f)"$(dotnet complete "${words[*]}" 2> /dev/null)"}
    fi
}

compdef _dotnet_scaling dotnet-scaling
compdef _dotnet_with_scaling dotnet
