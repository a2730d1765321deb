# Completes dotnet-scaling and 'dotnet scaling' in bash. To have it in every shell:
#   dotnet scaling completion bash > ~/.local/share/bash-completion/completions/dotnet-scaling
# and in ~/.bashrc, after whatever completes dotnet there:
#   source ~/.local/share/bash-completion/completions/dotnet-scaling

_dotnet_scaling_suggest() {
    if command -v dotnet-scaling > /dev/null; then
        dotnet-scaling "[suggest:${#1}]" "$1" 2> /dev/null
    else
        dotnet scaling "[suggest:${#1}]" "$1" 2> /dev/null # a tool of the repository's manifest
    fi
}

# $1: what was typed up to the cursor, after the command's name
_dotnet_scaling_reply() {
    local word="${1##*[[:space:]]}" kept='' candidate
    case "$COMP_WORDBREAKS" in
        *@*) case "$word" in *@*) kept="${word%@*}@" ;; esac ;; # Bash completes what follows the @ alone.
    esac
    COMPREPLY=()
    while IFS= read -r candidate; do
        case "$candidate" in
            -*) case "$word" in -*) ;; *) continue ;; esac ;;
        esac
        case "$candidate" in
            "$word"*) COMPREPLY+=("${candidate#"$kept"}") ;;
        esac
    done < <(_dotnet_scaling_suggest "dotnet-scaling $1")
}

_dotnet_scaling() {
    local line="${COMP_LINE:0:COMP_POINT}"
    _dotnet_scaling_reply "${line#*[[:space:]]}"
}

# dotnet keeps the completion that it has.
_dotnet_scaling_of_dotnet="$(complete -p dotnet 2> /dev/null | sed -n 's/.* -F \([^ ]*\) .*/\1/p' | grep -vx _dotnet_with_scaling || printf %s "$_dotnet_scaling_of_dotnet")"

_dotnet_with_scaling() {
    if [ "${COMP_WORDS[1]}" = scaling ] && [ "$COMP_CWORD" -gt 1 ]; then
        local line="${COMP_LINE:0:COMP_POINT}"
        line="${line#*scaling}"
        _dotnet_scaling_reply "${line#[[:space:]]}"
    elif [ -n "$_dotnet_scaling_of_dotnet" ]; then
        "$_dotnet_scaling_of_dotnet" "$@"
    else
        local word="${COMP_WORDS[COMP_CWORD]}" candidate
        COMPREPLY=()
        while IFS= read -r candidate; do
            COMPREPLY+=("$candidate")
        done < <(compgen -W "scaling $(dotnet complete --position "$COMP_POINT" "$COMP_LINE" 2> /dev/null)" -- "$word")
    fi
}

complete -o default -F _dotnet_scaling dotnet-scaling
complete -o default -F _dotnet_with_scaling dotnet
